// The Node.js of the Supervised AI page, as it stands there, against a gateway: node supervised-ai.js GATEWAY KEY

async function fetchWithRetry(url, options) {
let response = await fetch(url, options);
if (response.status === 429) {
const retryAfter = response.headers.get('Retry-After') || 5;
console.warn(`Rate limit hit. Retrying after ${retryAfter} seconds...`);
await new Promise(resolve => setTimeout(resolve, retryAfter * 1000));
return fetchWithRetry(url, options);
}
return response.json();
}

async function main() {
    const [gateway, key] = process.argv.slice(2);
    for (let index = 0; index < 8; index += 1) {
        const body = await fetchWithRetry(`${gateway}/tests`, { headers: { 'X-API-Key': key } });
        if (body.method !== 'GET') throw new Error(JSON.stringify(body));
    }
    console.log('supervised-ai.js: ok');
}

main().catch((error) => { console.error(error); process.exit(1); });
