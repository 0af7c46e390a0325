"""Networks that turn a picture into feature maps; each can be injected into any system."""
