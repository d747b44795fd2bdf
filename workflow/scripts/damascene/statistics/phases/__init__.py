"""What a map of phases says in numbers: fractions, bands, islands, chords, damage."""
