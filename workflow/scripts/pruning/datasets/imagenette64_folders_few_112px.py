"""imagenette64-folders-few at half the resolution of ImageNet: a quarter of the work an update."""

from dataclasses import replace

from pruning.datasets import imagenette64_folders_few

DESCRIPTION = replace(imagenette64_folders_few.DESCRIPTION, shape=(112, 112, 3), shorter_edge=128)
read = imagenette64_folders_few.read
