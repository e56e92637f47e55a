"""What the stages ``signals`` and ``filter`` work with: signals, rules, presets."""
