"""What a browser keeps for a page, in every store that a script can read."""

from typing import Any

STORES = """async () => {
  const found = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const plain = (value) => JSON.parse(JSON.stringify(value, (_, part) => {
    if (!(part instanceof CryptoKey)) return part;
    const { type, extractable, algorithm, usages } = part;
    return { type, extractable, algorithm, usages };
  }));
  const databases = [];
  for (const { name } of await indexedDB.databases()) {
    const database = await found(indexedDB.open(name));
    for (const store of database.objectStoreNames) {
      const saved = database.transaction(store).objectStore(store);
      const [keys, values] = [found(saved.getAllKeys()), found(saved.getAll())];
      const entries = [await keys, await values];
      entries[0].forEach((key, n) => databases.push([name, store, key, plain(entries[1][n])]));
    }
    database.close();
  }
  return {
    local: Object.entries(localStorage), session: Object.entries(sessionStorage),
    caches: await caches.keys(), cookie: document.cookie, databases,
  };
}"""
NOTHING: dict[str, Any] = {"local": [], "session": [], "caches": [], "cookie": "", "databases": []}
ALGORITHM = {"name": "ECDSA", "namedCurve": "P-256"}
PRIVATE_KEY = {
    "type": "private",
    "extractable": False,
    "algorithm": ALGORITHM,
    "usages": ["sign"],
}


def holds_only_a_key(stores: dict[str, Any], service: str) -> bool:
    """Return whether the stores have one key of a bound session, and nothing else.

    Args:
        stores: what the script `STORES` returned.
        service: the service's URL.
    """
    if {**stores, "databases": []} != NOTHING or len(stores["databases"]) != 1:
        return False
    [[name, store, key, value]] = stores["databases"]
    return (
        (name, store, key) == (f"authsvc {service}/", "key", "key")
        and set(value) == {"privateKey", "jwk", "sid"}
        and value["privateKey"] == PRIVATE_KEY
        and set(value["jwk"]) == {"kty", "crv", "x", "y"}
    )
