"""LeNet-5 in Caffe's form, as in SNIP's experiments: two 5x5 convolutions with 20 and 50 channels.

Each is followed by a maximum over 2x2 and not by ReLU; then a hidden layer of 500 units with ReLU. Biases everywhere.
(SNIP's published code.)
"""

from torch import Tensor, nn
from torch.nn import functional


class LeNet5(nn.Module):
    def __init__(self, shape: tuple[int, int, int], classes: int) -> None:
        super().__init__()
        height, width, channels = shape
        self.conv1 = nn.Conv2d(channels, 20, 5)
        self.conv2 = nn.Conv2d(20, 50, 5)
        # A convolution takes 4 pixels from each edge, a pool leaves half.
        positions = (((height - 4) // 2 - 4) // 2) * (((width - 4) // 2 - 4) // 2)
        self.hidden = nn.Linear(50 * positions, 500)
        self.output = nn.Linear(500, classes)

    def forward(self, images: Tensor) -> Tensor:
        features = functional.max_pool2d(self.conv1(images), 2)
        features = functional.max_pool2d(self.conv2(features), 2)
        features = self.hidden(features.flatten(1)).relu_()
        logits: Tensor = self.output(features)
        return logits


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    return LeNet5(shape, classes)
