"""What figures share: a style, how panels lie, and the axes and curves of accuracy. Without torch."""
