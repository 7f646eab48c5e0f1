"""What joins the resources of one node: names they depend on, the order that follows, lists they share."""
