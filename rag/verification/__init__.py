"""Does a passage support a statement, and if not, why?"""
