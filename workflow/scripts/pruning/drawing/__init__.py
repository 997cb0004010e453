"""What figures share: a style, and the axes and curves of accuracy against sparsity. Without torch."""
