// What @hey-api/openapi-ts reads: Node's own modules need the extension in each import.
export default {
  input: "./openapi.json",
  output: { path: "hey", module: { extension: ".js" } },
  logs: { file: false },
};
