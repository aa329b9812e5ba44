"""Report 4, "Deep Residual Learning report".

VGG-16 with batch norm against ResNet-50 on three classes of CIFAR-10: plane, car and bird.
"""

from cvclaims.claim import Report

MINI_CIFAR = Report(
    4,
    "resnet-mini-cifar",
    "Deep Residual Learning report",
    note="Only the claims that need no training are in the suite so far.",
)
