"""A stand-in for the Hugging Face Hub: a real HTTP server on the loopback interface, in its own process.

It answers the requests of the real `huggingface_hub`, `hf_xet` and `datasets` when they publish and load a
dataset. It stores all data in a folder, so that the data survive a restart. It logs each request, and it
fails on request.

    python -m hub FOLDER [--port N] [--xet] [--page-size N]     # prints its address on one line

    store.py     repositories: commits, branches, tags; renamed into place, one by one
    xet.py       files that clients write in pieces, by Xet's local scheme
    reading.py   answers to requests that look, list and download
    writing.py   answers to requests that upload, commit and tag
    faults.py    planned faults, and the log of requests
    server.py    the HTTP server and its routes
    process.py   start the server from tests and the demo
    worker.py    a process in which tests run programs against it
    looks.py     read repositories from its folder
"""
