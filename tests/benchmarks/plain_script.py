"""What `mrt ask` is measured against: the shortest script that asks, streams, prints and books one answer."""

import json
import sqlite3

import click
import httpx


@click.command()
@click.argument("url")
@click.argument("store")
@click.argument("prompt")
def main(url, store, prompt):
    body = {"model": "model", "messages": [{"role": "user", "content": prompt}], "stream": True, "max_tokens": 4096}
    usage = {}
    with httpx.Client() as client, client.stream("POST", f"{url}/v1/chat/completions", json=body) as response:
        for line in response.iter_lines():
            if line.startswith("data: {"):
                chunk = json.loads(line[6:])
                usage = chunk.get("usage") or usage
                for choice in chunk["choices"]:
                    print(choice["delta"].get("content", ""), end="", flush=True)
    print()
    connection = sqlite3.connect(store)
    connection.execute("CREATE TABLE IF NOT EXISTS spend (prompt TEXT, usage TEXT)")
    connection.execute("INSERT INTO spend VALUES (?, ?)", (prompt, json.dumps(usage)))
    connection.commit()


main()
