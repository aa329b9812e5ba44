"""What a claim reports has to fit what its test judges; refused before anything is trained."""
