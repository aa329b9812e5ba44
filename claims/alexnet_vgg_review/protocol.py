"""Report 1, "Assignment 2: Review and Implementation of AlexNet and VGGNet".

It reviews the two papers, then builds VGG16 for CIFAR-10's 32×32 images, without and with batch
norm.
"""

from cvclaims.claim import Report

ALEXNET_VGG = Report(
    1,
    "alexnet-vgg-review",
    "Assignment 2: Review and Implementation of AlexNet and VGGNet",
    note="Only the claims that need no training are in the suite so far.",
)
