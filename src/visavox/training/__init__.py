"""From data to a bundle that may go live: data → features → train → evaluate → gate → register.

Each step is a module here, a stage of dvc.yaml and a config of the same name.
"""
