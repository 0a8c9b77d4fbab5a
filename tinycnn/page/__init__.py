"""AlexNet's mathematics in a browser: one file that opens from disk, every number worked out beforehand."""
