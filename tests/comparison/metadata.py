"""Answers the provider's question where login and Graph are, over TLS on the loopback, from the line that `bed graph` prints."""

import http.server
import json
import ssl
import sys

ready, certificate, key = sys.argv[1:]
with open(ready, encoding="utf-8") as file:
    simulator = json.load(file)
ANSWER = {
    "name": "simulator",
    "resourceManager": "https://localhost:1/",  # required, and never called for this resource
    "microsoftGraphResourceId": simulator["url"],
    "authentication": {"loginEndpoint": simulator["login"], "audiences": [], "tenant": "common", "identityProvider": "AAD"},
    "suffixes": {},
}


class Metadata(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(ANSWER).encode())


server = http.server.HTTPServer(("127.0.0.1", 38901), Metadata)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server.socket = context.wrap_socket(server.socket, server_side=True)
server.serve_forever()
