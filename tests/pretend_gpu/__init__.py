"""A GPU that is not there: the steps that only CUDA takes, carried out on a CPU."""
