"""LeNet-300-100: two hidden layers of 300 and 100 units, ReLU, biases (LeCun et al. 1998)."""

from torch import Tensor, nn


class LeNet300100(nn.Module):
    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.hidden1 = nn.Linear(inputs, 300)
        self.hidden2 = nn.Linear(300, 100)
        self.output = nn.Linear(100, classes)

    def forward(self, images: Tensor) -> Tensor:
        features = self.hidden1(images.flatten(1)).relu_()
        features = self.hidden2(features).relu_()
        logits: Tensor = self.output(features)
        return logits


def build(shape: tuple[int, int, int], classes: int) -> nn.Module:
    height, width, channels = shape
    return LeNet300100(height * width * channels, classes)
