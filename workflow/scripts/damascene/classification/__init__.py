"""From labels and candidates to classified sites: split, train, evaluate, predict."""
