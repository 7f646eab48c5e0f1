"""How clients prove who they are to a simulated node: one module per scheme, and the gate that all pass."""
