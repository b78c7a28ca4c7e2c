<?php

// What takes leads with PHP-FPM: every field checked by hand, the same SQL
// function by a prepared statement over a persistent connection.

function refuse(string $field): never
{
    http_response_code(422);
    header('Content-Type: application/problem+json');
    exit(json_encode(['status' => 422, 'field' => $field]));
}

$body = json_decode(file_get_contents('php://input'), true, 8);
if (!is_array($body)) {
    refuse('body');
}

$row = [];
if (!is_string($body['email'] ?? null) || strlen($body['email']) > 254
    || !filter_var($body['email'], FILTER_VALIDATE_EMAIL)) {
    refuse('email');
}
[$local, $domain] = explode('@', $body['email']);
$row['email'] = $local . '@' . strtolower($domain);

if (isset($body['phone'])) {
    $digits = preg_replace('/[ ()-]/', '', (string) $body['phone']);
    $digits = preg_replace('/^8/', '+7', $digits);
    if (!preg_match('/^\+79\d{9}$/D', $digits)) {
        refuse('phone');
    }
    $row['phone'] = $digits;
}
if (isset($body['name'])) {
    if (!is_string($body['name'])
        || !preg_match('/^[^\x00-\x1f\x7f]{0,100}$/Du', $body['name'])) {
        refuse('name');
    }
    $row['name'] = trim($body['name']);
}
foreach (['click_id' => 255, 'text_version' => 64] as $name => $max) {
    if (isset($body[$name])) {
        if (!is_string($body[$name])
            || !preg_match("/^[\x21-\x7e]{1,$max}$/D", $body[$name])) {
            refuse($name);
        }
        $row[$name] = $body[$name];
    }
}
if (($body['consent_pd'] ?? null) !== true) {
    refuse('consent_pd');
}
$row += ['consent_pd' => true,
    'consent_ads' => ($body['consent_ads'] ?? null) === true,
    'source' => 'bench', 'ip' => $_SERVER['REMOTE_ADDR'],
    'ua' => $_SERVER['HTTP_USER_AGENT'] ?? ''];

$pg = pg_pconnect($_SERVER['LEADQ_DSN']);
$id = bin2hex(random_bytes(16));
$json = json_encode($row, JSON_UNESCAPED_UNICODE);
$sql = 'select status, body from leadq.web_lead(array[$1::uuid], array[$2])';

// A connection that is used for the first time knows no statement.
$result = @pg_execute($pg, 'lead', [$id, $json]);
if ($result === false) {
    pg_prepare($pg, 'lead', $sql);
    $result = pg_execute($pg, 'lead', [$id, $json]);
}
[$status, $text] = pg_fetch_row($result);

http_response_code((int) $status);
header('Content-Type: application/json');
echo $text;
