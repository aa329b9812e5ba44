"""Report 3, "Report 2: CNN architectures".

AlexNet with more and less augmentation, VGG with 3×3 and 7×7 kernels, Inception with and without
its 1×1 reductions, and what becomes of VGG, Inception and ResNet at 50 and 101 layers.
"""

from cvclaims.claim import Report

CNN_ARCHITECTURES = Report(
    3,
    "cnn-architectures",
    "Report 2: CNN architectures",
    note="Only the claims that need no training are in the suite so far.",
)
