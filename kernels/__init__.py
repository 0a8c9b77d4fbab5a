"""Hot loops over arrays: serial, compiled by Numba, without state, checks or BLAS.

Import them as ``tinycnn.kernels.<file>``. Every argument has been checked by the op that calls; a
kernel trusts it. The conventions that all of them share:

- arrays are C-contiguous, images are channels last (N, H, W, C), the channel loop is innermost;
- results go into arrays that the caller hands in, behind the inputs;
- ``first, last`` is the half-open range of output rows (of N*OH) or of images that this call works
  on, so that a block of work is one call;
- ``kernel stride dilation`` are (height, width); ``padding`` is (top, left), for what lies beyond
  the bottom and right edge follows from the output's size.
"""
