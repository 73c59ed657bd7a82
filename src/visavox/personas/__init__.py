"""People who do not exist: faces, voices, clips and attacks made from a seed.

They stand in for real people where none may be used. Whoever shows a figure that was
measured on them says so.
"""
