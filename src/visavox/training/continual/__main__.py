"""`python -m visavox.training.continual`."""

from visavox.training.continual.study import continual

if __name__ == "__main__":
    continual.main()
