"""The operations blueprint: health, metrics, public keys and the API's description."""

from flask import Blueprint

from authsvc.operations import discovery, docs, health, home, jwks, metrics, openapi, static

operations = Blueprint("operations", __name__)
operations.get(home.RULE)(home.home)
operations.get("/healthz")(health.healthz)
operations.get("/readyz")(health.readyz)
operations.get("/metrics")(metrics.metrics)
operations.get("/.well-known/jwks.json")(jwks.jwks)
operations.record(discovery.add_discovery)
operations.get("/openapi.json")(openapi.openapi_json)
operations.get("/docs")(docs.page)
operations.get("/docs/<any('docs.css', 'look.css', 'icon.svg'):name>")(docs.file)
operations.get("/static/authsvc.js")(static.authsvc_js)
operations.get("/static/authsvc-binding.js")(static.binding_js)
operations.get("/static/authsvc-factors.js")(static.factors_js)
