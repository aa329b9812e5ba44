"""Data sets: loading, checking and cutting them to size.

    from cvclaims.data.folder import data_folder
    from cvclaims.data.load import DataError, DataMissing, Dataset, load

Nothing is imported here: pytest's plugin asks for `data_folder` at start-up, in every project of
the environment, and must not import torch for that.
"""
