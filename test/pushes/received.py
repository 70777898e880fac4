"""Looks at what server.py has kept.

usage: received.py file path question [argument...]
"""
import base64
import hashlib
import hmac
import json
import subprocess
import sys
import tempfile

kept = [json.loads(line) for line in open(sys.argv[1]) if line.endswith('\n')]
path, question, arguments = sys.argv[2], sys.argv[3], sys.argv[4:]
mine = [k for k in kept if k['path'] == path]


def envelope(k):
    return json.loads(k['body'])


def canonical(e):
    """What SNS signs (sns-verify-signature-of-message)."""
    names = ['Message', 'MessageId', 'Subject', 'SubscribeURL', 'Timestamp', 'Token', 'TopicArn', 'Type']
    return ''.join(f'{n}\n{e[n]}\n' for n in names if n in e).encode()


def verify_sns(e, certificate):
    key = subprocess.run(['openssl', 'x509', '-in', certificate, '-pubkey', '-noout'],
                         capture_output=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        for name, data in (('key', key), ('signature', base64.b64decode(e['Signature'])), ('data', canonical(e))):
            open(f'{folder}/{name}', 'wb').write(data)
        digest = {'1': '-sha1', '2': '-sha256'}[e['SignatureVersion']]
        return subprocess.run(['openssl', 'dgst', digest, '-verify', f'{folder}/key', '-signature',
                               f'{folder}/signature', f'{folder}/data'], capture_output=True).returncode == 0


def verify_webhook(k, secret):
    h = k['headers']
    key = base64.b64decode(secret.removeprefix('whsec_'))
    signed = f"{h['webhook-id']}.{h['webhook-timestamp']}.{k['body']}".encode()
    wanted = 'v1,' + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return wanted in h['webhook-signature'].split(' ')


if question == 'count':
    print(len(mine))
elif question == 'distinct':
    print(len({k['body'] for k in mine if k['headers'].get('x-amz-sns-message-type') == 'Notification'}))
elif question == 'bodies':
    for k in mine:
        if k['headers']['x-amz-sns-message-type'] == 'Notification':
            print(k['body'])
elif question == 'followed':
    print(len([k for k in kept if k['path'].startswith(path + '/')]))
elif question == 'token':
    tokens = [envelope(k)['Token'] for k in mine if 'Confirmation' in k['headers']['x-amz-sns-message-type']]
    print(tokens[-1] if tokens else '')
elif question == 'field':
    print(envelope(mine[-1]).get(arguments[0], '') if mine else '')
elif question == 'signed':
    sys.exit(0 if verify_sns(envelope(mine[-1]), arguments[0]) else 1)
elif question == 'type':
    print(mine[-1]['headers']['x-amz-sns-message-type'] if mine else '')
elif question == 'verify':
    last = mine[-1]
    good = verify_sns(envelope(last), arguments[0]) and verify_webhook(last, arguments[1])
    spoilt = dict(envelope(last), Message='other')
    sys.exit(0 if good and not verify_sns(spoilt, arguments[0]) else 1)
elif question == 'envelope':
    k, e = mine[-1], envelope(mine[-1])
    h = k['headers']
    sys.exit(0 if (
        list(e) == ['Type', 'MessageId', 'TopicArn', 'Subject', 'Message', 'Timestamp', 'SignatureVersion',
                    'Signature', 'SigningCertURL', 'UnsubscribeURL', 'MessageAttributes']
        and e['Message'] == 'first ä\n"line"' and e['Subject'] == 'Hello'
        and e['SigningCertURL'] == 'https://example.org/sns/decouple-1.pem'
        and e['UnsubscribeURL'].startswith('https://example.org/sns/?Action=Unsubscribe&Token=')
        and h['x-amz-sns-message-id'] == e['MessageId'] == h['webhook-id']
        and h['x-amz-sns-topic-arn'] == e['TopicArn']
        and h['x-amz-sns-subscription-arn'].startswith(e['TopicArn'] + ':')
        and h['x-amz-sns-message-type'] == 'Notification'
        and 'x-amz-sns-rawdelivery' not in h
        and h['content-type'] == 'text/plain; charset=UTF-8'
        and h['user-agent'] == 'Amazon Simple Notification Service Agent'
        and h['authorization'] == 'Bearer x') else 1)
else:
    sys.exit(f'no such question: {question}')
