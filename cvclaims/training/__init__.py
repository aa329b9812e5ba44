"""How a recipe is trained: one loop for all of them."""
