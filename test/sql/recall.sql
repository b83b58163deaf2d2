begin read only;
set local role funes_admin;
set local hnsw.ef_search = 160;
set local hnsw.iterative_scan = relaxed_order;
set local hnsw.max_scan_tuples = 5000;
set local plan_cache_mode = force_custom_plan;
set local jit = off;
set local max_parallel_workers_per_gather = 0;

select
  query.n::text,
  hit.distance,
  hit.kind,
  hit.row_id::text,
  "memories"."id",
  "memories"."user_id",
  "memories"."content",
  "memories"."content_summary",
  "memories"."embedding_model",
  "memories"."embedding_source",
  "memories"."embedding_error",
  "memories"."source",
  "memories"."session_id",
  "memories"."importance_score",
  "memories"."metadata",
  "memories"."idempotency_key",
  "memories"."created_at",
  "memories"."updated_at",
  case
    when "memories"."embedding_error" is not null then 'FAILED'
    when "memories"."embedding" is null then 'PENDING'
    when (
      "memories"."embedding_source" = 'FUNES'
      and "memories"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end,
  "document_chunks"."id",
  "document_chunks"."user_id",
  "document_chunks"."document_id",
  "document_chunks"."chunk_index",
  "document_chunks"."total_chunks",
  "document_chunks"."content",
  "document_chunks"."content_summary",
  "document_chunks"."embedding_model",
  "document_chunks"."embedding_source",
  "document_chunks"."embedding_error",
  "document_chunks"."chunk_size",
  "document_chunks"."overlap_size",
  "document_chunks"."start_offset",
  "document_chunks"."end_offset",
  "document_chunks"."metadata",
  "document_chunks"."created_at",
  case
    when "document_chunks"."embedding_error" is not null then 'FAILED'
    when "document_chunks"."embedding" is null then 'PENDING'
    when (
      "document_chunks"."embedding_source" = 'FUNES'
      and "document_chunks"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end,
  "documents"."id",
  "documents"."user_id",
  "documents"."filename",
  "documents"."file_path",
  "documents"."file_type",
  "documents"."file_size",
  "documents"."content_hash",
  "documents"."total_chunks",
  "documents"."created_at",
  "documents"."processed_at",
  "documents"."updated_at",
  "documents"."metadata",
  "tool_embeddings"."id",
  "tool_embeddings"."tool_name",
  "tool_embeddings"."tool_description",
  "tool_embeddings"."tool_parameters",
  "tool_embeddings"."embedding_model",
  "tool_embeddings"."embedding_source",
  "tool_embeddings"."embedding_error",
  "tool_embeddings"."usage_count",
  "tool_embeddings"."last_used",
  "tool_embeddings"."created_at",
  "tool_embeddings"."updated_at",
  case
    when "tool_embeddings"."embedding_error" is not null then 'FAILED'
    when "tool_embeddings"."embedding" is null then 'PENDING'
    when (
      "tool_embeddings"."embedding_source" = 'FUNES'
      and "tool_embeddings"."embedding_model" <> (
        select
          coalesce(generation.next_embedding_model, generation.embedding_model)
        from
          "installation" as generation
        where
          generation.only
      )
    ) then 'STALE'
    else 'READY'
  end
from
  unnest($1::vector[], $2::text[]) with ordinality as query (vector, text, n)
  cross join lateral (
    select
      *
    from
      (
        select
          'MEMORY' as kind,
          id as row_id,
          user_id,
          null::bigint as chunk_id,
          distance
        from
          (
            with
              near as materialized (
                select
                  "memories"."id",
                  "memories"."user_id",
                  "memories"."embedding" <=> query.vector as distance
                from
                  "memories"
                where
                  "memories"."embedding" is not null
                order by
                  distance,
                  "memories"."id"
                limit
                  $3
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "memories"."id",
                      "memories"."user_id",
                      "memories"."embedding" <=> query.vector as distance
                    from
                      "memories"
                    where
                      (
                        "memories"."embedding" is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $4
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $5
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $6
                order by
                  distance,
                  id
                limit
                  $7
              )
            union all
            select
              *
            from
              completed
          ) memory
        union all
        select
          'CHUNK' as kind,
          id as row_id,
          user_id,
          id as chunk_id,
          distance
        from
          (
            with
              near as materialized (
                select
                  "document_chunks"."id",
                  "document_chunks"."user_id",
                  "document_chunks"."embedding" <=> query.vector as distance
                from
                  "document_chunks"
                where
                  "document_chunks"."embedding" is not null
                order by
                  distance,
                  "document_chunks"."id"
                limit
                  $8
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "document_chunks"."id",
                      "document_chunks"."user_id",
                      "document_chunks"."embedding" <=> query.vector as distance
                    from
                      "document_chunks"
                    where
                      (
                        "document_chunks"."embedding" is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $9
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $10
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $11
                order by
                  distance,
                  id
                limit
                  $12
              )
            union all
            select
              *
            from
              completed
          ) chunk
        union all
        select
          'DOCUMENT' as kind,
          document_id as row_id,
          user_id,
          chunk_id,
          distance
        from
          (
            with
              best as materialized (
                select distinct
                  on (document_id) id as chunk_id,
                  document_id,
                  user_id,
                  distance
                from
                  (
                    with
                      near as materialized (
                        select
                          "document_chunks"."id",
                          "document_chunks"."document_id",
                          "document_chunks"."user_id",
                          "document_chunks"."embedding" <=> query.vector as distance
                        from
                          "document_chunks"
                        where
                          "document_chunks"."embedding" is not null
                        order by
                          distance,
                          "document_chunks"."id"
                        limit
                          $13
                      ),
                      completed as materialized (
                        select
                          *
                        from
                          (
                            select
                              "document_chunks"."id",
                              "document_chunks"."document_id",
                              "document_chunks"."user_id",
                              "document_chunks"."embedding" <=> query.vector as distance
                            from
                              "document_chunks"
                            where
                              (
                                "document_chunks"."embedding" is not null
                                and not (
                                  select
                                    count(*)
                                  from
                                    near
                                ) >= $14
                              )
                          ) candidate
                        order by
                          distance + 0,
                          id
                        limit
                          $15
                      ) (
                        select
                          *
                        from
                          near
                        where
                          (
                            select
                              count(*)
                            from
                              near
                          ) >= $16
                        order by
                          distance,
                          id
                        limit
                          $17
                      )
                    union all
                    select
                      *
                    from
                      completed
                  ) chunks
                order by
                  document_id,
                  distance,
                  id
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select distinct
                      on (document_id) id as chunk_id,
                      document_id,
                      user_id,
                      "document_chunks"."embedding" <=> query.vector as distance
                    from
                      "document_chunks"
                    where
                      (
                        not (
                          select
                            count(*)
                          from
                            best
                        ) >= $18
                        and "document_chunks"."embedding" is not null
                      )
                    order by
                      document_id,
                      distance,
                      id
                  ) every_document
                order by
                  distance,
                  document_id
                limit
                  $19
              ) (
                select
                  *
                from
                  best
                where
                  (
                    select
                      count(*)
                    from
                      best
                  ) >= $20
                order by
                  distance,
                  document_id
                limit
                  $21
              )
            union all
            select
              *
            from
              completed
          ) document
        union all
        select
          'TOOL' as kind,
          id as row_id,
          null::varchar as user_id,
          null::bigint as chunk_id,
          distance
        from
          (
            with
              near as materialized (
                select
                  "tool_embeddings"."id",
                  "tool_embeddings"."embedding" <=> query.vector as distance
                from
                  "tool_embeddings"
                where
                  "tool_embeddings"."embedding" is not null
                order by
                  distance,
                  "tool_embeddings"."id"
                limit
                  $22
              ),
              completed as materialized (
                select
                  *
                from
                  (
                    select
                      "tool_embeddings"."id",
                      "tool_embeddings"."embedding" <=> query.vector as distance
                    from
                      "tool_embeddings"
                    where
                      (
                        "tool_embeddings"."embedding" is not null
                        and not (
                          select
                            count(*)
                          from
                            near
                        ) >= $23
                      )
                  ) candidate
                order by
                  distance + 0,
                  id
                limit
                  $24
              ) (
                select
                  *
                from
                  near
                where
                  (
                    select
                      count(*)
                    from
                      near
                  ) >= $25
                order by
                  distance,
                  id
                limit
                  $26
              )
            union all
            select
              *
            from
              completed
          ) tool
      ) every_kind
    order by
      distance,
      kind,
      row_id
    limit
      $27
  ) as hit
  left join "memories" on (
    hit.kind in ($28)
    and "memories"."id" = hit.row_id
    and "memories"."user_id" = hit.user_id
  )
  left join "document_chunks" on (
    hit.kind in ($29, $30)
    and "document_chunks"."id" = hit.chunk_id
    and "document_chunks"."user_id" = hit.user_id
  )
  left join "documents" on (
    hit.kind in ($31)
    and "documents"."id" = hit.row_id
    and "documents"."user_id" = hit.user_id
  )
  left join "tool_embeddings" on (
    hit.kind in ($32)
    and "tool_embeddings"."id" = hit.row_id
  )
order by
  query.n asc,
  hit.distance asc,
  hit.kind,
  hit.row_id;
