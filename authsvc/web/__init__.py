"""How a request is read and a response written."""
