"""Review: which sites people should label next, and what they are shown of them."""
