import { createAuth, type User } from "authsvc";
import { readonly, shallowRef } from "vue";

export const auth = createAuth({ baseUrl: "/" });

const user = shallowRef<User | null>(null);
const status = shallowRef(auth.status);

auth.onChange((current) => {
  user.value = current;
  status.value = auth.status;
});
auth.restore().catch(() => {}); // the status stays "unknown", and it tries again when online

export const useAuth = () => ({ user: readonly(user), status: readonly(status) });
