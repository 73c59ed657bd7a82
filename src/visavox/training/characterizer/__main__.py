"""`python -m visavox.training.characterizer characterizer=face|voice`."""

from visavox.training.characterizer.stages import characterizer

if __name__ == "__main__":
    characterizer.main()
