// The JavaScript of the TensorOne page, as it stands there, against a gateway: node tensorone.js GATEWAY KEY

async function makeAPIRequest(url, options) {
    try {
        const response = await fetch(url, options);

        if (response.status === 429) {
            const retryAfter = response.headers.get("Retry-After");
            console.log(`Rate limited. Retry after ${retryAfter} seconds`);

            // Wait and retry
            await new Promise((resolve) => setTimeout(resolve, retryAfter * 1000));
            return makeAPIRequest(url, options);
        }

        return response;
    } catch (error) {
        console.error("API request failed:", error);
        throw error;
    }
}

async function main() {
    const [gateway, key] = process.argv.slice(2);
    for (let index = 0; index < 8; index += 1) {
        const response = await makeAPIRequest(`${gateway}/v2/projects`, { headers: { Authorization: `Bearer ${key}` } });
        if (response.status !== 200) throw new Error(`status ${response.status}`);
    }
    console.log("tensorone.js: ok");
}

main().catch((error) => { console.error(error); process.exit(1); });
