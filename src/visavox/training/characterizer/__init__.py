"""Lightning training of the two `embedded` nets, from people to a Characterizer folder."""
