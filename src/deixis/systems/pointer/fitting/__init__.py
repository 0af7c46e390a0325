"""What is fitted to a finished pointer network: rules, classifiers, weights of claims."""
