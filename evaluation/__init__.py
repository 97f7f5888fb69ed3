"""How good the answers are: typed cases, pure metrics, and runs through the public interface."""
