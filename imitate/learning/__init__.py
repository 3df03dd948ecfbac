"""Policy gradients in plain torch, one algorithm a file."""
