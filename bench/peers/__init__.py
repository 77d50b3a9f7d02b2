"""The servers that are measured. Each app is one file that imports no other app, so that no app's
memory or start-up time includes another's."""
