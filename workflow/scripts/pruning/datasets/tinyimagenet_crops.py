"""TinyImageNet as the modified ResNet-18 sees it: mirrored and cropped from a frame, as CIFAR-10 is."""

from dataclasses import replace

from pruning.datasets import tinyimagenet

DESCRIPTION = replace(tinyimagenet.DESCRIPTION, augmentation="flip and crop")
read = tinyimagenet.read
