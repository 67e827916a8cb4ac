"""The registry of built-in parts and plugins, their description, and the plugin scaffold."""
