#!/usr/bin/env bash
# jose 6.2.17 on Node 24.21.0: an Ed25519 key as crypto.subtle exports it, put into a JWKS, verifies no EdDSA token.
#
# WebCrypto adds alg "Ed25519" to the JWK; jose's exportJWK of the same key has no alg, nor has Node's KeyObject.export.
# Tokens mostly say "EdDSA", the older name of the same signature, and a JWKS takes a key only for tokens of its very alg:
# ERR_JWKS_NO_MATCHING_KEY, though kid, curve and key are right. The same JWK opened by importJWK verifies the token, so that
# the test beside the signer passes, and every service that reads the published keys fails. `algorithms` goes by the word
# as well. Publish what exportJWK answers, and set alg to what the tokens say.
# Seen on 2026-12-01. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init --yes >/dev/null
npm install --silent --no-audit --no-fund --save-exact jose@6.2.17 node@24.21.0

export PATH="$folder/node_modules/.bin:$PATH"

cat >try.mjs <<'PROGRAM'
import { KeyObject } from 'node:crypto';
import { createLocalJWKSet, exportJWK, importJWK, jwtVerify, SignJWT } from 'jose';

const { publicKey, privateKey } = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
const tokens = {};
for (const alg of ['EdDSA', 'Ed25519'])
  tokens[alg] = await new SignJWT({}).setProtectedHeader({ alg, kid: 'k1' }).sign(privateKey);
const told = (verified) => verified.then(() => 'verified', (error) => error.code);
const exports = {
  "jose's exportJWK": await exportJWK(publicKey),
  'KeyObject.export': KeyObject.from(publicKey).export({ format: 'jwk' }),
  'crypto.subtle.exportKey': await crypto.subtle.exportKey('jwk', publicKey),
};
for (const [way, jwk] of Object.entries(exports)) {
  const keys = createLocalJWKSet({ keys: [{ ...jwk, kid: 'k1' }] });
  console.log(`${way}, alg ${jwk.alg}`);
  for (const [alg, token] of Object.entries(tokens)) {
    console.log(`  a token of ${alg} by the JWKS: ${await told(jwtVerify(token, keys))}`);
    console.log(`  a token of ${alg} by the key:  ${await told(jwtVerify(token, await importJWK(jwk, 'EdDSA')))}`);
  }
}
console.log("a token of Ed25519 where algorithms are ['EdDSA']:", await told(jwtVerify(tokens.Ed25519, publicKey, { algorithms: ['EdDSA'] })));
PROGRAM

cat >expected <<'OUTPUT'
jose's exportJWK, alg undefined
  a token of EdDSA by the JWKS: verified
  a token of EdDSA by the key:  verified
  a token of Ed25519 by the JWKS: verified
  a token of Ed25519 by the key:  verified
KeyObject.export, alg undefined
  a token of EdDSA by the JWKS: verified
  a token of EdDSA by the key:  verified
  a token of Ed25519 by the JWKS: verified
  a token of Ed25519 by the key:  verified
crypto.subtle.exportKey, alg Ed25519
  a token of EdDSA by the JWKS: ERR_JWKS_NO_MATCHING_KEY
  a token of EdDSA by the key:  verified
  a token of Ed25519 by the JWKS: verified
  a token of Ed25519 by the key:  verified
a token of Ed25519 where algorithms are ['EdDSA']: ERR_JOSE_ALG_NOT_ALLOWED
OUTPUT

timeout 60 node try.mjs | tee seen
diff expected seen || { echo 'The behaviour has changed.' >&2; exit 1; }
