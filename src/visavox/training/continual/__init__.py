"""Teaching the Characterizer new people without losing the old ones: four ways, measured."""
