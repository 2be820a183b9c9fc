-- SPDX-License-Identifier: MIT
--
-- What lua.trace.xz was recorded from, as docs/BENCHMARKS.md tells: text, tables, closures and
-- coroutines, the usual diet of a Lua program. Numbers come from a generator of its own, so that
-- each run is the same.
local seed = 4711
local function random(n)
  seed = (seed * 1103515245 + 12345) % 2147483648
  return seed // 65536 % n + 1
end

local syllables = {"ta", "ber", "ry", "ker", "nel", "lo", "mi", "on", "sta", "re", "qui", "u"}
local function word()
  local parts = {}
  for i = 1, random(4) do parts[i] = syllables[random(#syllables)] end
  return table.concat(parts)
end

-- Text, counted and sorted by how often a word comes.
local function count_words(n)
  local lines, counts, order = {}, {}, {}
  for i = 1, n do
    local words = {}
    for j = 1, 3 + random(9) do words[j] = word() end
    lines[i] = table.concat(words, " ")
  end
  for _, line in ipairs(lines) do
    for w in line:gmatch("%a+") do counts[w] = (counts[w] or 0) + 1 end
  end
  for w in pairs(counts) do order[#order + 1] = w end
  table.sort(order, function(a, b) return counts[a] > counts[b] or counts[a] == counts[b] and a < b end)
  return #order, lines
end

-- A tree of tables, written out as text and read back.
local function make_tree(depth)
  if depth == 0 then return random(2) == 1 and word() or random(100000) end
  local node = {}
  for i = 1, 1 + random(4) do node[word() .. i] = make_tree(depth - 1) end
  return node
end

local function write_tree(node, out)
  if type(node) ~= "table" then
    out[#out + 1] = string.format(type(node) == "string" and "%q" or "%d", node)
    return
  end
  local keys = {}
  for key in pairs(node) do keys[#keys + 1] = key end
  table.sort(keys)
  out[#out + 1] = "{"
  for _, key in ipairs(keys) do
    out[#out + 1] = key .. "="
    write_tree(node[key], out)
    out[#out + 1] = ","
  end
  out[#out + 1] = "}"
end

local function round_trip(depth)
  local out, again = {}, {}
  local tree = make_tree(depth)
  write_tree(tree, out)
  local text = table.concat(out)
  write_tree(assert(load("return " .. text))(), again)
  assert(table.concat(again) == text)
  return tree
end

-- Objects with methods, in a queue ordered by time: what is done next, and what it leads to.
local Event = {}
Event.__index = Event
local function schedule(queue, time, action)
  local event = setmetatable({time = time, action = action}, Event)
  local at = #queue + 1
  while at > 1 and queue[at // 2].time > time do
    queue[at] = queue[at // 2]
    at = at // 2
  end
  if at == 1 then queue[1] = event else queue[at] = event end
end

local function take(queue)
  local first, last = queue[1], table.remove(queue)
  local at, n = 1, #queue
  if n == 0 then return first end
  while 2 * at <= n do
    local child = 2 * at
    if child < n and queue[child + 1].time < queue[child].time then child = child + 1 end
    if queue[child].time >= last.time then break end
    queue[at] = queue[child]
    at = child
  end
  queue[at] = last
  return first
end

local function simulate(steps, crowd)
  local queue, log = {}, {}
  for i = 1, crowd do
    local name, visits = word() .. i, 0
    local function visit(now)
      visits = visits + 1
      log[name] = {visits = visits, at = now, by = name .. "@" .. now}
      return now + random(1000)
    end
    schedule(queue, random(1000), visit)
  end
  for _ = 1, steps do
    local event = take(queue)
    schedule(queue, event.action(event.time), event.action)
  end
  return log
end

-- Coroutines, each with a state of its own.
local function weave(n)
  local threads, text = {}, {}
  for i = 1, n do
    threads[i] = coroutine.wrap(function()
      for k = 1, 1 + random(20) do coroutine.yield(word() .. k) end
    end)
  end
  while #threads > 0 do
    local at = random(#threads)
    local said = threads[at]()
    if said then text[#text + 1] = said else table.remove(threads, at) end
  end
  return table.concat(text, "\n")
end

local kept = {}
for pass = 1, 3 do
  local words, lines = count_words(1200)
  kept[pass % 2] = {lines, round_trip(6), simulate(8000, 1500), weave(200)}
  print(pass, words, collectgarbage("count") // 1 > 0)
end
