"""Training dynamics of linear and ReLU GNNs, exactly and fast: K models side by side."""
