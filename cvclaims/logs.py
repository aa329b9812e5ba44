"""stub"""


class LogError(ValueError): ...


class Logged: ...
