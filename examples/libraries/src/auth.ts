import { createAuth } from "authsvc";

export const auth = createAuth({ baseUrl: "/" });
