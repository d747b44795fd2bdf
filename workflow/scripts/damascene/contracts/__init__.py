"""What every table that one rule hands to another, or to a person, holds: a module a product.

Nothing is imported here, so that a rule depends on the tables it uses and on no others.
"""
