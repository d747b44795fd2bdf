"""Where every product comes from, in a form that archives and machines read."""
