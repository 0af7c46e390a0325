"""The same application on several replicas of Ray Serve (extra ``ray``): ``deixis serve --ray``.

``entrance`` takes requests and hands each to the replica that knows its picture (``picture_router``);
``replica`` runs the application with an engine of its own.
"""
