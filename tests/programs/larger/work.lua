-- SPDX-License-Identifier: MIT
-- Work for Lua: tables, strings, closures, coroutines, files, numbers of both kinds.
local queens = 0
local function place(row, columns, up, down)
    if row > 8 then
        queens = queens + 1
        return
    end
    for column = 1, 8 do
        if not (columns[column] or up[row + column] or down[row - column]) then
            columns[column], up[row + column], down[row - column] = true, true, true
            place(row + 1, columns, up, down)
            columns[column], up[row + column], down[row - column] = nil, nil, nil
        end
    end
end
place(1, {}, {}, {})
print("queens", queens)

local producer = coroutine.wrap(function()
    local a, b = 0, 1
    while true do
        coroutine.yield(a)
        a, b = b, a + b
    end
end)
local fibonacci = {}
for i = 1, 20 do
    fibonacci[i] = producer()
end
print(table.concat(fibonacci, " "))

local counts = {}
for word in ("the cat and the dog and the bird"):gmatch("%a+") do
    counts[word] = (counts[word] or 0) + 1
end
local words = {}
for word in pairs(counts) do
    words[#words + 1] = word
end
table.sort(words, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
end)
for _, word in ipairs(words) do
    print(word, counts[word])
end

local file = assert(io.open("numbers", "w"))
for i = 1, 1000 do
    file:write(i, "\n")
end
file:close()
local sum = 0
for line in io.lines("numbers") do
    sum = sum + tonumber(line)
end
print("sum", sum, 7 // 2, 7 / 2, 2 ^ 10, 1 << 40)
print(string.format("%5.3f %q %x", math.sin(1), "a\nb", 255))
local text = {}
for i = 1, 20000 do
    text[#text + 1] = ("%05d"):format((i * 7919) % 10007)
end
table.sort(text)
print("sorted", text[1], text[10000], text[20000], collectgarbage("count") > 0)
print(pcall(error, "as it should"))
os.exit(7)
